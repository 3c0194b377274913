"""Files that others may have written: read within bounds, held to their schema, and refused by name, place and mend."""
