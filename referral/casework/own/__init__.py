"""Help from the client's own people, or made by the office: who gives it, what they agreed to, how often they did.

The client's own help is sealed with the client's key and known in their case alone. What the office may use for
others is sealed with the office's key. What is for all becomes a listing, if a curator says yes, with exactly what
the helper let be known. A helper who takes their word back is asked no more from that moment on.

making     help that begins, and what is different of it later
word       the helper's yes, asked again or taken back; the end
listing    what all may know
helping    how often they helped
queries    who may know them
"""
