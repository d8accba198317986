"""Self-contained HTML pages: tables, plots drawn as SVG, pictures as data, nothing from elsewhere.

:func:`~edgeau_export.report.html.html.document` makes a page of sections; :func:`~edgeau_export.report.html.html.table` and
:mod:`~edgeau_export.report.html.plots` make what stands in them.
"""
