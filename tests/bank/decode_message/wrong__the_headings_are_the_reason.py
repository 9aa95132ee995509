# expect: wrong: the result is 'Failed in nopython mode pipeline (step: nopython frontend)'
def decode_message(message):
    kind, _, text = message.partition(": ")
    who = {"TypingError": "types", "UnsupportedError": "reading"}.get(kind, "run")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [line for line in lines if line.startswith('File "yours.py"')]
    line = int(places[0].split()[-1].rstrip(":")) if places else 0
    return who, line, lines[0]
