"""Background jobs: a failing one neither stops the others nor fills the log."""

from __future__ import annotations

from app.worker import Job, Worker


def worker_with(*jobs: Job) -> Worker:
    return Worker(list(jobs))


def test_a_job_runs_when_it_is_due_and_not_before():
    runs: list[str] = []
    worker = worker_with(Job("a", 2.0, lambda: runs.append("a") or 0))
    worker.run_due(10.0)
    worker.run_due(11.9)
    assert runs == ["a"]
    worker.run_due(12.0)
    assert runs == ["a", "a"]


def test_a_failing_job_does_not_keep_the_next_one_from_running():
    runs: list[str] = []

    def broken() -> int:
        raise OSError("no space left")

    worker = worker_with(Job("broken", 1.0, broken), Job("b", 1.0, lambda: runs.append("b") or 0))
    worker.run_due(1.0)
    worker.run_due(2.0)
    assert runs == ["b", "b"]


def test_a_job_that_failed_is_tried_again_and_forgiven():
    answers: list[Exception | int] = [OSError("locked"), 3]

    def flaky() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    job = Job("flaky", 1.0, flaky)
    worker = worker_with(job)
    worker.run_due(1.0)
    assert job.failing_since == 1.0
    worker.run_due(2.0)
    assert job.failing_since is None
