"""`waggle knowledge ...`: stores of documents and rows, and who may read them."""

import typer

from router.cli.knowledge_advise import advise_app
from router.cli.knowledge_evaluate import evaluate_app
from router.cli.knowledge_house import house_app
from router.cli.knowledge_proposals import proposals_app
from router.cli.knowledge_rights import rights_app
from router.cli.knowledge_stores import stores_app

knowledge_app = typer.Typer(
    name="knowledge", help="Stores of knowledge, and who may read them.", no_args_is_help=True
)
knowledge_app.registered_commands += stores_app.registered_commands
knowledge_app.registered_commands += rights_app.registered_commands
knowledge_app.registered_commands += advise_app.registered_commands
knowledge_app.registered_commands += evaluate_app.registered_commands
knowledge_app.registered_commands += house_app.registered_commands
knowledge_app.registered_commands += proposals_app.registered_commands
