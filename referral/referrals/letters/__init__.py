"""What leaves the office on paper or is copied into a chat: the letter, its slip, the client's handout."""
