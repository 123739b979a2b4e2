"""The command `polylip`."""

import typer

from orchestrator.cli import demo, dub, evaluate, models, processes, report, trace

app = typer.Typer(
    help="Dub a talking-head video into another language and move the lips to match.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(dub.dub)
app.command()(demo.demo)
app.command()(report.report)
app.command()(trace.trace)
app.command()(processes.serve)
app.command()(processes.worker)
app.command()(processes.owner)
app.add_typer(evaluate.app, name="eval")
app.add_typer(models.app, name="models")

if __name__ == "__main__":
    app()
