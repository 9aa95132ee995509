"""Where compiled code spends its time: samples of the program counter, and the source lines that they belong to."""
