"""The rows that TensorBoard's own HParams plugin makes of a folder."""

from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups


def session_groups(path) -> list:
    events = plugin_event_multiplexer.EventMultiplexer()
    events.AddRunsFromDirectory(str(path))
    events.Reload()
    provider = data_provider.MultiplexerDataProvider(events, str(path))
    plugin = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    # Metrics are aggregated over the sessions of a group by their mean, as the page asks for.
    request = api_pb2.ListSessionGroupsRequest(
        slice_size=10, allowed_statuses=[0, 1, 2, 3], aggregation_type=api_pb2.AGGREGATION_AVG
    )
    handler = list_session_groups.Handler(context.RequestContext(), plugin, "0", request)
    return list(handler.run().session_groups)
