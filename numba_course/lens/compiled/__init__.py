"""What the compiler made of a function: types, stages and machine code."""
