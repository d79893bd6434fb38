import pytest

from inference.web.api.documentation import render_documentation


def rendered(schema, text=""):
    operation = {
        "description": text,
        "parameters": [{"name": "option", "required": False, "schema": schema}],
        "responses": {"200": {"description": "Done", "content": {"text/csv": {"example": "a,b"}}}},
    }
    return render_documentation(
        {
            "info": {"title": "Service", "description": "One.\n\nTwo."},
            "paths": {"/there": {"get": operation}},
            "components": {
                "schemas": {"ErrorBody": {"properties": {"code": {"type": "string"}}, "required": ["code"]}}
            },
        },
        "http://here",
    )


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 9}, {"type": "null"}]}, "integer from 1 to 9"),
        ({"type": "number", "exclusiveMinimum": 0}, "number above 0"),
        ({"type": "array", "items": {"type": "string"}, "default": []}, "list of string"),
        ({"type": "string", "enum": ["mix", "each"], "default": "mix"}, "mix | each"),
    ],
)
def test_values_are_described(schema, expected):
    page = rendered(schema)
    assert f"<td>{expected}\n" in page
    assert ("mix&#34;" in page or '"mix"' in page) == (schema.get("default") == "mix")


def test_texts_are_escaped_and_code_is_marked():
    page = rendered({"type": "string", "description": "<b>"}, "As `<i>` asks.")
    assert "<code>&lt;i&gt;</code>" in page
    assert "<b>" not in page
    assert "<i>" not in page
