"""The report: content from an analysis and a study's record, figures, and one self-contained HTML page.

`record` is what a step gathers, `building.build` makes of it a `content.Report` of formatted words and numbers,
`rendering.render` places that in a page. Nothing is computed after `build`, and nothing formatted after it.
"""
