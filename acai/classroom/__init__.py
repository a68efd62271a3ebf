"""The classroom: the course laid out for students, how far they are, and the grading of what they hand in."""
