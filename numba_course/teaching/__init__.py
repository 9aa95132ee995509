"""What an instructor needs: a timetable, slides, notes, and how a class stands."""
