SELECT
  companies.city_id,
  COUNT(*) AS vendors
FROM {{ source('docs_raw', 'companies') }} AS companies
WHERE
  NOT companies.city_id IS NULL
GROUP BY
  companies.city_id
