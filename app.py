"""The Chalice app, as a table of contents: its routes, by feature, and a line for each trigger."""

from typing import Any

from chalice.app import Chalice, DynamoDBEvent, SNSEvent, SQSEvent

from chalicelib import config, middleware
from chalicelib.access.routes import routes as access_routes
from chalicelib.analytics.routes import routes as analytics_routes
from chalicelib.clicks.routes import routes as clicks_routes
from chalicelib.links.routes import routes as links_routes
from chalicelib.pages.routes import routes as pages_routes
from chalicelib.redirects.routes import routes as redirects_routes
from chalicelib.service.routes import routes as service_routes

app = Chalice("linkly", configure_logs=False)

app.register_blueprint(links_routes)
app.register_blueprint(clicks_routes)
app.register_blueprint(analytics_routes)
app.register_blueprint(access_routes)
app.register_blueprint(pages_routes)
app.register_blueprint(redirects_routes)
app.register_blueprint(service_routes)
middleware.install(app)


# infra/template.yaml says which queue, topic or stream each of these names means: they have the stage in their names.
# Each function imports its own feature: the others start without it.


@app.lambda_function(name="follow_link")
def follow_link(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Redirect visitors. infra/template.yaml has Lambda call the handler itself, without this module."""
    from chalicelib.redirects import entry

    return entry.handler(event, context)


# 495 clicks on one link are five full transactions; with five more, a sixth would have next to nothing in it.
# For how long they are gathered is a setting.
@app.on_sqs_message(queue="clicks", batch_size=495, maximum_concurrency=5)
def record_clicks(event: SQSEvent) -> dict[str, Any]:
    """Count clicks."""
    from chalicelib.clicks import recorder

    return recorder.record_clicks(event.to_dict(), event.context)


@app.on_dynamodb_record("links", batch_size=100, starting_position="TRIM_HORIZON")
def publish_link_events(event: DynamoDBEvent) -> None:
    """Announce changes of links."""
    from chalicelib.links import publisher

    publisher.publish_link_events(event.to_dict())


@app.on_sqs_message(queue="link-changes", batch_size=10)
def refresh_redirects(event: SQSEvent) -> dict[str, Any]:
    """Keep the redirect cache right."""
    from chalicelib.redirects import refresher

    return refresher.refresh_redirects(event.to_dict(), event.context)


@app.on_sns_message(topic="link-events")
def count_created_links(event: SNSEvent) -> None:
    """Count new links."""
    from chalicelib.analytics.daily_links import count_created_link

    count_created_link(event.message)


@app.on_sqs_message(queue="deleted-links", batch_size=1)
def purge_clicks(event: SQSEvent) -> dict[str, Any]:
    """Remove the clicks of deleted links."""
    from chalicelib.clicks import purge

    return purge.purge_clicks(event.to_dict(), event.context)


if config.lacks_a_stage():  # `chalice local`, in a checkout
    from ops.local import attach

    attach.to_the_local_stack()
