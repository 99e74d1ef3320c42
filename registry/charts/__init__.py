"""Pictures of answers: a Release in, a Vega-Lite chart out, drawn on the server as SVG or PNG.

The numbers of a picture are the rows of the answer. Nothing here asks a question, knows who asks,
or reaches the network.
"""

from registry.charts.choice import chart_of
from registry.charts.picture import Chart

__all__ = ["Chart", "chart_of"]
