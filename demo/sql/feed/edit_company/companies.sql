{# A company edits one to three of its columns. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import between, decimal, digits, draw, letters, mobile, one_of, renamed, text with context %}
{% set columns = draw('columns', 7) %}
{% block changes %}
  CASE WHEN {{ columns }} = 0 THEN {{ renamed('feed_rows.name', ' India') }} ELSE feed_rows.name END AS name,
  CASE WHEN {{ columns }} = 0 THEN UPPER(LEFT(feed_rows.name, 1)) || {{ letters('initials', 1) }} ELSE feed_rows.company_initials END AS company_initials,
  CASE WHEN {{ columns }} IN (1, 2, 6) THEN {{ mobile('phone') }} ELSE feed_rows.phone END AS phone,
  CASE WHEN {{ columns }} IN (2, 6) THEN 'desk' || {{ digits('email', 5) }} || '@' || COALESCE(feed_rows.domain, 'mail.example') ELSE feed_rows.email END AS email,
  CASE WHEN {{ columns }} IN (3, 6) THEN {{ text(between('building', 241, 999)) }} || ', ' || {{ one_of('street', ['Station Road', 'Mandi Road', 'GIDC Phase 2', 'MG Road', 'Ring Road']) }} || ', Gala ' || {{ digits('gala', 4) }} ELSE feed_rows.address END AS address,
  CASE WHEN {{ columns }} = 4 THEN LEFT(COALESCE(feed_rows.gst_no, '24AAAAA0000A'), 2) || {{ letters('pan head', 5) }} || {{ digits('pan', 4) }} || {{ letters('pan tail', 1) }} || '1Z' || {{ letters('check', 1) }} ELSE feed_rows.gst_no END AS gst_no,
  CASE WHEN {{ columns }} = 4 THEN '{"status": "Pending"}' ELSE feed_rows.gst_verification END AS gst_verification,
  CASE
    WHEN {{ columns }} = 5
    THEN '{"score": {"value": ' || CAST({{ decimal('score', 0, 10000, 2) }} AS VARCHAR(20)) || '}, "credit": {"limit": ' || {{ text(between('credit', 100, 99999)) }} || '00}}'
    ELSE feed_rows.misc
  END AS misc,
  CASE WHEN {{ columns }} = 5 THEN {{ decimal('rating', 100, 500, 2) }} ELSE feed_rows.rating END AS rating,
{% endblock %}
