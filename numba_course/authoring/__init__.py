"""From the text that people edit to notebooks with outputs that are compared."""
