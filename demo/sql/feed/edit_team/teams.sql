{# A team trades in other product categories, written in the other of the two forms. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import another, draw, text with context %}
{% block changes %}
  CASE
    WHEN LEFT(feed_rows.product_category_ids, 1) = '{'
    THEN '[' || {{ text(another('feed_rows.id', 'category', highest.product_categories)) }} || ', ' || {{ text('1 + ' ~ draw('second category', highest.product_categories)) }} || ']'
    ELSE '{' || {{ text(another('feed_rows.id', 'category', highest.product_categories)) }} || ',' || {{ text('1 + ' ~ draw('second category', highest.product_categories)) }} || '}'
  END AS product_category_ids,
{% endblock %}
{% block condition %}newest.status = 1{% endblock %}
