{# A new company, like another one but for its names and numbers. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import between, decimal, digits, letters, mobile, one_of, text with context %}
{% set domain = "LOWER(TRANSLATE(TRIM(LEFT(feed_rows.owner_name, 40)), ' ’', '-')) || '-' || " ~ text(new.companies ~ ' + feed_rows.change_number') ~ " || '.example'" %}
{% block changes %}
  {{ new.companies }} + feed_rows.change_number AS id,
  SPLIT_PART(feed_rows.owner_name, ' ', 2) || ' ' || {{ one_of('trade', ['Agro', 'Spices', 'Foods', 'Polymers', 'Steel', 'Textiles', 'Packaging']) }} || ' ' || {{ one_of('suffix', ['Traders', 'LLP', 'Pvt Ltd', 'Enterprises', 'and Sons']) }} AS name,
  {{ domain }} AS domain,
  'info@' || {{ domain }} AS email,
  {{ mobile('phone') }} AS phone,
  {{ letters('pan head', 5) }} || {{ digits('pan', 4) }} || {{ letters('pan tail', 1) }} AS pan_no,
  LPAD({{ text(between('state', 1, 37)) }}, 2, '0') || {{ letters('pan head', 5) }} || {{ digits('pan', 4) }} || {{ letters('pan tail', 1) }} || '1Z' || {{ letters('check', 1) }} AS gst_no,
  '{"status": "Pending"}' AS gst_verification,
  '{"score": {"value": ' || CAST({{ decimal('score', 0, 1000, 1) }} AS VARCHAR(20)) || '}}' AS misc,
  FALSE AS is_verified,
  0 AS trade_requests_count,
  0 AS intake_requests_count,
  feed_rows.changed_at AS created_at,
{% endblock %}
{% block condition %}newest.status = 1 AND newest.category IN (1, 2, 4){% endblock %}
