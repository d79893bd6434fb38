import threading

import pytest

from inference.web.api.admission import ApiLimits
from inference.web.api.errors import ApiError
from inference.web.api.jobs import Jobs


def describe(error):
    return ApiError(500, str(error))


@pytest.fixture
def jobs():
    jobs = Jobs(ApiLimits(jobs=2))
    yield jobs
    jobs.close()


def finish(jobs):
    jobs._threads.shutdown()


def test_a_job_reports_its_progress_and_keeps_its_result(jobs):
    seen = []

    def compute(report):
        report(0.5)
        seen.append(job.progress)
        return "document"

    started = threading.Event()
    job = jobs.start("me", lambda report: (started.wait(), compute(report))[1], describe)
    started.set()
    finish(jobs)
    assert (seen, job.status, job.progress, job.document) == ([0.5], "done", 1.0, "document")
    assert jobs.unfinished == 1
    job.fetched = True
    assert jobs.unfinished == 0


def test_a_job_that_fails_keeps_its_error(jobs):
    job = jobs.start("me", lambda report: 1 / 0, describe)
    finish(jobs)
    assert (job.status, job.error.status) == ("failed", 500)


def test_a_deleted_job_ends_at_its_next_report(jobs):
    deleted = threading.Event()

    def compute(report):
        deleted.wait()
        report(0.5)
        return "document"

    job = jobs.start("me", compute, describe)
    jobs.delete(job)
    deleted.set()
    finish(jobs)
    assert job.document is None


def test_there_are_no_more_jobs_than_allowed_until_results_expire(monkeypatch):
    jobs = Jobs(ApiLimits(jobs=1, keep_s=60))
    job = jobs.start("me", lambda report: "document", describe)
    finish(jobs)
    with pytest.raises(ApiError) as error:
        jobs.start("me", lambda report: "document", describe)
    assert error.value.status == 503
    monkeypatch.setattr("time.monotonic", lambda: job.ended + 61)
    with pytest.raises(ApiError) as error:
        jobs.find(job.id, "me")
    assert error.value.status == 404
