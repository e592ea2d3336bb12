"""Paging of lists."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """Pages by number; a caller may ask for smaller or larger ones, within reason."""

    page_size_query_param = "page_size"
    max_page_size = 200
