-- Real cities, India's from 50,000 inhabitants on and the largest abroad.
{% set row = 'seed_cities.city_id' %}
{% from 'macros.sql' import between, chance, day_later, digits, draw, later, staff, text, updated with context %}
{% set created_at = later("CAST('2019-06-01 06:00:00' AS TIMESTAMP)", 'created_at', 'minute', 200000) %}
SELECT
  seed_cities.city_id AS id,
  -- The upstream trims nothing.
  seed_cities.name || CASE WHEN {{ draw('blank', 100) }} = 0 THEN ' ' ELSE '' END AS name,
  {{ text('seed_cities.latitude') }} || ',' || {{ text('seed_cities.longitude') }} AS coordinates,
  CASE WHEN {{ chance('status', 97) }} THEN 1 ELSE 0 END AS status,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  CASE WHEN {{ chance('apmc_configuration_id', 25) }} THEN {{ between('apmc_configuration_id', 1, 60) }} END AS apmc_configuration_id,
  seed_cities.state_id,
  seed_cities.country_id,
  seed_countries.iso || '-' || LPAD({{ text('seed_cities.city_id') }}, 5, '0') AS city_code,
  CASE seed_cities.geoname_id
    WHEN 1275339 THEN 'Bombay'
    WHEN 1264527 THEN 'Madras'
    WHEN 1275004 THEN 'Calcutta'
    WHEN 1277333 THEN 'Bangalore'
  END AS alias,
  CASE WHEN seed_countries.iso = 'IN' AND {{ chance('district', 70) }} THEN seed_cities.name END AS district,
  seed_cities.state_name,
  CASE WHEN seed_countries.iso = 'IN' THEN {{ text(between('postal head', 1, 8)) }} || {{ digits('postal', 2) }} END AS postal_code_prefix,
  seed_cities.latitude,
  seed_cities.longitude,
  seed_cities.time_zone,
  seed_cities.population,
  CASE
    WHEN seed_cities.population >= 4000000 THEN 1
    WHEN seed_cities.population >= 500000 THEN 2
    ELSE 3
  END AS tier,
  seed_cities.population >= 4000000 AS is_metro,
  {{ chance('is_serviceable', 85) }} AS is_serviceable,
  CASE WHEN {{ chance('is_serviceable', 85) }} THEN {{ day_later(created_at, 'serviceable_from', 300) }} END AS serviceable_from,
  seed_cities.geoname_id,
  '{"en": "' || seed_cities.name || '"}' AS locale_names,
  CASE WHEN {{ chance('logistics_zone_id', 80) }} THEN {{ between('logistics_zone_id', 1, 24) }} END AS logistics_zone_id,
  CASE WHEN {{ chance('erp_id', 50) }} THEN 'LOC' || {{ digits('erp_id', 6) }} END AS erp_id,
  {{ staff('1', 'created_by') }} AS created_by,
  CASE WHEN {{ chance('updated_by', 40) }} THEN {{ staff('1', 'updated_by') }} END AS updated_by,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_cities
INNER JOIN seed_countries
  ON seed_cities.country_id = seed_countries.country_id
