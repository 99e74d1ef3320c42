"""Lists to choose from are written by the registry's own template, as Django writes them."""

from django import forms
from django.forms.renderers import DjangoTemplates, TemplatesSetting

CHOICES = [
    ("", "Any"),
    ("Of <two>", [("a&b", "A & B"), (1, 'One "1"')]),
    ("plain", "Plain"),
]


def html_of(widget: forms.Select, value, renderer) -> list[str]:
    """The lines of a list, without their indentation."""
    lines = widget.render("drug", value, {"id": "id_drug", "required": True}, renderer)
    return [line.strip() for line in lines.splitlines() if line.strip()]


def test_list_is_what_django_would_write():
    """Of a few values chosen, disabled choices and escaped words, by either template."""
    for kind, value in (
        (forms.Select, "1"),
        (forms.Select, None),
        (forms.SelectMultiple, ["a&b", "1"]),
    ):
        widget = kind(choices=CHOICES, attrs={"data-few": "x<y", "disabled": False})

        assert html_of(widget, value, TemplatesSetting()) == html_of(
            widget, value, DjangoTemplates()
        )


def test_pages_use_the_template_of_one_piece():
    """One template a list: with another for each option a page took twice as long."""
    rendered = []

    class Counting(TemplatesSetting):
        def get_template(self, template_name):
            rendered.append(template_name)
            return super().get_template(template_name)

    forms.Select(choices=CHOICES).render("drug", "1", None, Counting())
    (template,) = rendered

    source = TemplatesSetting().get_template(template).template.source
    assert "include" not in source.split("#}")[-1]
