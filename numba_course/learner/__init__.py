"""The learner's copy of the course: begun, brought up to date, checked, and shown."""
