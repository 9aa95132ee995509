"""Chapter 13, checklist: it has no exercises; what it tests is advice."""

EXERCISES = ()
