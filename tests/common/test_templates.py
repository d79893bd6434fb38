import pytest
from jinja2 import UndefinedError

from common.templates import template_environment


def render(folder, file: str, text: str, **values: object) -> str:
    (folder / file).write_text(text, encoding="utf-8")
    return template_environment(folder).get_template(file).render(values)


@pytest.mark.parametrize("file", ["page.html.jinja", "page.html"])
def test_html_is_escaped(tmp_path, file):
    assert render(tmp_path, file, "{{ name }}", name="<b>&") == "&lt;b&gt;&amp;"


@pytest.mark.parametrize("file", ["report.md.jinja", "report.md", "README.txt"])
def test_other_text_is_not_escaped(tmp_path, file):
    assert render(tmp_path, file, "{{ name }}", name="<b>&") == "<b>&"


def test_an_undefined_variable_raises(tmp_path):
    with pytest.raises(UndefinedError, match="speaker"):
        render(tmp_path, "report.md.jinja", "{{ speaker }}")


def test_blocks_leave_no_blank_lines(tmp_path):
    text = "a\n  {% if yes %}\nb\n  {% endif %}\n"
    assert render(tmp_path, "report.md.jinja", text, yes=True) == "a\nb\n"


def test_filters(tmp_path):
    (tmp_path / "report.md").write_text("{{ 'a' | twice }}", encoding="utf-8")
    environment = template_environment(tmp_path, {"twice": lambda text: text * 2})
    assert environment.get_template("report.md").render() == "aa"
