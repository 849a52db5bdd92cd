"""What holds of a partition with several replicas."""



from tests.actors.cluster_stage import ClusterStage
from tests.bpmn.playground import ONE_TASK


async def test_the_nodes_that_are_named_found_one_cluster() -> None:
    stage = ClusterStage()

    assert len({stage.cluster(number).cluster_id for number in stage.nodes}) == 1
    assert stage.where() == {1, 2, 3}
    stage.stop()


async def test_every_replica_applies_what_is_committed() -> None:
    stage = ClusterStage()
    stage.deploy(ONE_TASK)
    for _ in range(5):
        stage.create()

    assert stage.same_everywhere() == 5
    stage.stop()
