"""For those who teach and learn: exercises that check themselves, planted bugs, and layers that are easy to break."""
