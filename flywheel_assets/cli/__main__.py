"""`python -m flywheel_assets.cli`: the same as `flywheel`."""

from flywheel_assets.cli.app import app

if __name__ == "__main__":
    app()
