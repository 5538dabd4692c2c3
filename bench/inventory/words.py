"""What people type into the search."""

WORDS = ("강남온누리1", "ㄱㄴㅇㄴ", "rkdska", "1234", "pos", "192.168.7.1", "P00123", "강남 pos", "ㄱ", "1")
"""What people type: a name, consonants, the wrong keyboard, a phone's end, a kind, an address, a code, two words,
and the two worst: one letter."""
