from tritonclient.grpc import service_pb2

from client.statistics import ModelStatistics, statistics_of


def answer() -> service_pb2.ModelStatisticsResponse:
    """Two versions; one ran three single items and a batch of four, the other a batch of four."""
    response = service_pb2.ModelStatisticsResponse()
    for requests, items, batches in ((5, 7, {4: 1, 1: 3}), (1, 4, {4: 1})):
        version = response.model_stats.add(inference_count=items, execution_count=sum(batches.values()))
        version.inference_stats.success.count = requests
        version.inference_stats.queue.ns = 2_000_000_000
        version.inference_stats.compute_input.ns = 100_000_000
        version.inference_stats.compute_infer.ns = 1_000_000_000
        version.inference_stats.compute_output.ns = 400_000_000
        for size, runs in batches.items():
            version.batch_stats.add(batch_size=size).compute_infer.count = runs
    return response


def test_all_versions_are_summed_and_queue_time_is_apart_from_compute_time() -> None:
    seen = statistics_of(answer())
    assert seen == ModelStatistics(requests=6, items=11, runs=5, queue_s=4.0, compute_s=3.0, batch_runs={1: 3, 4: 2})


def test_a_difference_is_what_happened_in_between() -> None:
    earlier = ModelStatistics(2, 2, 2, 1.0, 0.5, {1: 2})
    later = ModelStatistics(6, 10, 4, 1.5, 2.0, {1: 2, 4: 2})
    assert later - earlier == ModelStatistics(4, 8, 2, 0.5, 1.5, {4: 2})
