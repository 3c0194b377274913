"""HTTP as every judge reads it."""
