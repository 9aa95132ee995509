"""How an answer becomes a verdict: `examiner` sends it to a child process, `trial` tries it there."""
