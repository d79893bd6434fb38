import json

import pytest

from common.training_record import is_pretrained, read_training_record
from tests.publishing.conftest import OPEN, corpus, training_record


def write(folder, content) -> object:
    path = folder / "training.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_record_is_read_with_those_before_it(tmp_path):
    record = training_record(before=training_record(corpus("iemocap", OPEN), protocol="speaker"))
    assert read_training_record(write(tmp_path, record)) == record


def test_unknown_fields_are_removed_and_labels_may_be_missing(tmp_path):
    record = training_record()
    for name in ("merged_labels", "augmentation", "corpus_sampling", "fine_tuning"):
        del record[name]
    read = read_training_record(write(tmp_path, {**record, "script": "<script>"}))
    absent = dict.fromkeys(("augmentation", "corpus_sampling", "fine_tuning"))
    assert read == {**record, "merged_labels": {}, **absent}


def test_a_network_is_pretrained_where_the_first_training_began_with_weights():
    scratch, fine_tuned = training_record(start="random weights"), training_record(start="hub")
    assert (is_pretrained(scratch), is_pretrained(fine_tuned)) == (False, True)
    assert not is_pretrained(training_record(start="local checkpoint", before=scratch))
    assert is_pretrained(training_record(start="local checkpoint", before=fine_tuned))


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "[" * 100_000,
        {**training_record(), "seed": "7"},
        {**training_record(), "fine_tuning": {"lora_rank": "8"}},
        {**training_record(), "corpus_sampling": {"temperature": 0.5}},
        {**training_record(), "data": [{"corpus": "emodb"}]},
        training_record(corpus("emodb", OPEN, homepage="javascript:alert(1)")),
        training_record(before={"data": []}),
        {name: value for name, value in training_record().items() if name != "protocol"},
    ],
)
def test_another_form_is_refused_with_the_name_of_the_file(tmp_path, content):
    with pytest.raises(ValueError, match=r"training\.json"):
        read_training_record(write(tmp_path, content))
