"""The demonstration: fictional people, the scenes they play, and the command that shows them."""
