"""For teachers and learners: exercises that check themselves, planted bugs, and a made-up survey."""
