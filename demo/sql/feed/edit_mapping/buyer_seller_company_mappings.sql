{# A client edits what it keeps of a vendor; now and then it archives it. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import decimal, digits, draw, text with context %}
{% set columns = draw('columns', 4) %}
{% block changes %}
  CASE WHEN {{ columns }} IN (0, 1) THEN 'V' || {{ digits('vendor_code', 9) }} ELSE feed_rows.vendor_code END AS vendor_code,
  CASE WHEN {{ columns }} IN (1, 2) THEN 'VRP-' || {{ digits('vrp_code', 9) }} ELSE feed_rows.vrp_code END AS vrp_code,
  CASE WHEN {{ columns }} = 2 THEN {{ decimal('auto_discount', 50, 1500, 2) }} ELSE feed_rows.auto_discount END AS auto_discount,
  CASE
    WHEN {{ columns }} = 3
    THEN '{"archived_at": ' || CAST(CAST(EXTRACT(EPOCH FROM feed_rows.changed_at) AS BIGINT) AS VARCHAR(20)) || '}'
    ELSE feed_rows.meta_data
  END AS meta_data,
{% endblock %}
