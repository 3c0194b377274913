"""What is measured: a record a task, histograms, windows, and the objectives that are decided on them."""
