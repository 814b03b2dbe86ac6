{# A company becomes a preferred vendor of a further item. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import between with context %}
{% block changes %}
  {{ new.preferred_vendor_item_mappings }} + feed_rows.change_number AS id,
  {{ between('item_id', 901, 1800) }} AS item_id,
  1 AS status,
  feed_rows.changed_at AS created_at,
{% endblock %}
