# expect: wrong: the result is 'reading', expected 'types'
def decode_message(message):
    kind, _, text = message.partition(": ")
    who = {"TypingError": "types", "UnsupportedError": "reading"}.get(kind, "run")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [line for line in lines if line.startswith('File "yours.py"')]
    calls = [line[4:] for line in lines if line.startswith(">>> ")]
    reasons = [line for line in lines if not line.startswith("Failed in ")]
    who = "reading" if "unsupported" in text else who
    line = int(places[0].split()[-1].rstrip(":")) if places else 0
    return who, line, (calls + reasons)[0]
