"""What people do: scenarios, their files, and the options that change them."""
