from publishing.escape import escape


def test_markup_is_escaped():
    assert escape("a|b\n# [x](y) <img> `c` \\|") == "a\\|b # \\[x\\](y) &lt;img> 'c' \\\\\\|"
    assert escape("w2v + Em, pl-PL (5 %), f0_mean") == "w2v + Em, pl-PL (5 %), f0_mean"


def test_strings_are_escaped_at_any_depth():
    assert escape({"a\nb": [1, None, {"c": ("<d", 2.5)}]}) == {"a b": [1, None, {"c": ["&lt;d", 2.5]}]}
