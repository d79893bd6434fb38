from inference.web.api.metrics import Metrics


def test_gauges_are_read_when_the_metrics_are():
    metrics, values = Metrics(), [1.0]
    metrics.watch("ser_things", "Things", lambda: values[0])
    assert b"ser_things 1.0" in metrics.text()
    values[0] = 2.0
    metrics.observe_group(3, 0.5)
    text = metrics.text()
    assert b"ser_things 2.0" in text
    assert b"ser_group_clips_sum 3.0" in text
    assert b"ser_compute_seconds_total 0.5" in text


def test_unknown_paths_add_no_series(client):
    for number in range(20):
        client.get(f"/scan{number}")
        client.get(f"/v1/jobs/{number}")
    text = client.get("/metrics").text
    assert "scan" not in text
    assert 'path="/v1/jobs/{job_id}",status="404"} 20.0' in text
