from publishing.escape import plain


def test_text_is_nothing_but_text():
    assert plain("a|b\n# [x](y) <img> `c` \\|") == "a\\|b # \\[x\\](y) &lt;img> 'c' \\\\\\|"
    assert plain("w2v + Em, pl-PL (5 %), f0_mean") == "w2v + Em, pl-PL (5 %), f0_mean"


def test_texts_are_found_at_any_depth():
    assert plain({"a\nb": [1, None, {"c": ("<d", 2.5)}]}) == {"a b": [1, None, {"c": ["&lt;d", 2.5]}]}
