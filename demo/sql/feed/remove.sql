{# The upstream removes rows: it marks them in the way that the contract says. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
{% if "deleted_at" in source.column_names %}
  feed_rows.changed_at AS deleted_at,
{% else %}
  -1 AS status,
{% endif %}
{% endblock %}
