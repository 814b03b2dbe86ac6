{# Columns of a company that no fact reads. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import digits, draw with context %}
{% block changes %}
  'Reviewed under ticket ' || {{ digits('ticket', 9) }} AS update_remarks,
  CASE WHEN {{ draw('columns', 2) }} = 0 THEN '["https://assets.example/documents/' || {{ digits('document', 9) }} || '.pdf"]' ELSE feed_rows.document_images END AS document_images,
{% endblock %}
