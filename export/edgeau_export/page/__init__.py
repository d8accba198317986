"""Self-contained HTML pages: tables, plots drawn as SVG, pictures as data, nothing from elsewhere.

:func:`~edgeau_export.page.html.document` makes a page of sections; :mod:`~edgeau_export.page.table` and
:mod:`~edgeau_export.page.plots` make what stands in them.
"""
