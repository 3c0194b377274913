"""One exchange as judges see it: what was asked, what came, what its body says, and how a person repeats it."""
