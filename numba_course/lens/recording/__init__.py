"""Which compiled functions a program or its tests call, with which arguments, and what the instruments say of them."""
