import pytest

from common.checkpoint_name import check_checkpoint


def test_a_name_that_only_a_folder_can_have_needs_a_folder(tmp_path):
    for name in (str(tmp_path), "runs-that-may-be-on-the-hub", "team/model"):
        check_checkpoint(name)
    for name in ("./none", "../none", f"{tmp_path}/none", "~/none", "runs/none/deeper"):
        with pytest.raises(ValueError, match="none"):
            check_checkpoint(name)
