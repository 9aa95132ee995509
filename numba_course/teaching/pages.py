"""Pages that need no network: HTML from the templates of this package, with everything from outside escaped."""

from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"


def page(name: str, **values: object) -> str:
    """The page that the template of this name makes from the values."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{name}.html.j2").render(values)
